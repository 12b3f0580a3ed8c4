package dev.carom.fuzz

/** What Jazzer calls: one input to the target that the system property `carom.fuzz.target` names. */
object Trial {
    private val target: FuzzTarget =
        Class.forName(System.getProperty("carom.fuzz.target")).getDeclaredConstructor().newInstance() as FuzzTarget

    @JvmStatic
    fun fuzzerTestOneInput(input: ByteArray): Unit = target.attempt(input)
}
