package dev.carom.pool.dns.internal

/**
 * The absolute names to try for [name], in order (RFC 1123, section 6.1.4.3; resolv.conf): an absolute name as it is; a
 * name with at least [ndots] dots as it is and then under each domain of [search]; any other first under each domain.
 */
internal fun candidates(name: String, search: List<String>, ndots: Int): List<String> {
    if (name.endsWith(".")) return listOf(name)
    val asIs = "$name."
    val searched = search.map { it.trim('.') }.map { if (it.isEmpty()) asIs else "$name.$it." }
    return (if (name.count { it == '.' } >= ndots) listOf(asIs) + searched else searched + asIs).distinct()
}
