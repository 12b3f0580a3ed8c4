package dev.carom.pool.internal

private const val MASK = "***"

/** `scheme://user:password@host`. Up to the last `@` of the word: a password may hold one that should have been encoded. */
private val USER_INFO = Regex("""://[^\s"'<>]{0,4096}@""")

/** `jdbc:oracle:thin:user/password@…`. */
private val ORACLE = Regex("""(jdbc:oracle:\w+:[^\s/@"]{1,128})/[^\s"'<>]{0,4096}@""", RegexOption.IGNORE_CASE)

private const val NAMES = """[\w.-]{0,40}(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key)"""

/** `password=…`, quoted or not, as queries, properties and connection strings have it. */
private val ASSIGNED = Regex(
    """\b($NAMES\s{0,4}=\s{0,4})("[^"]*"|'[^']*'|\{[^}]*}|[^\s&;,)"'\]}]+)""",
    RegexOption.IGNORE_CASE,
)

/** `"password": "…"`. */
private val QUOTED = Regex("""(["']$NAMES["']\s{0,4}:\s{0,4})("[^"]*"|'[^']*'|[^\s,}]+)""", RegexOption.IGNORE_CASE)

/**
 * [text] without the passwords that drivers put into their messages, as far as the shape tells: in the user part of a URL, as
 * Oracle writes it, and as the value of a name like `password`. Rather too much is hidden than too little.
 */
internal fun withoutPasswords(text: String): String {
    if ('@' !in text && '=' !in text && ':' !in text) return text
    return text
        .replace(ORACLE) { "${it.groupValues[1]}/$MASK@" }
        .replace(USER_INFO) { "://$MASK@" }
        .replace(ASSIGNED) { it.groupValues[1] + MASK }
        .replace(QUOTED) { it.groupValues[1] + MASK }
}
