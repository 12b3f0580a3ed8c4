package dev.carom.fuzz

/** What Jazzer calls: one input to the target that the system property `carom.fuzz.target` names. */
object Trial {
    private val target: FuzzTarget =
        Class.forName(System.getProperty("carom.fuzz.target")).getDeclaredConstructor().newInstance() as FuzzTarget

    @JvmStatic
    fun fuzzerTestOneInput(input: ByteArray): Unit = target.attempt(input)

    /** Called at the end. */
    @JvmStatic
    fun fuzzerTearDown(): Unit = println("$SHARE %.0f %%".format(target.largestShare * 100))

    const val SHARE = "largest share of the bytes that may be allocated:"
}
