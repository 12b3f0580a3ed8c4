package dev.carom.storage.internal

/**
 * Things by number. Never changes: adding and removing make another one, which shares all but a few nodes with this one, so
 * that a thousand who wait cost hardly more than ten (Bagwell, Ideal Hash Trees, 2001; the number is its own hash).
 */
internal class Numbered<V : Any> private constructor(private val root: Node, val size: Int) {
    /** In order of their numbers. Costs all of them, and the sorting. */
    val values: List<V> get() = leaves().map { value(it) }

    /** In order. */
    val numbers: List<Long> get() = leaves().map { it.number }

    fun isEmpty(): Boolean = size == 0

    operator fun get(number: Long): V? = root.find(number)?.let { value(it) }

    operator fun contains(number: Long): Boolean = root.find(number) != null

    fun plus(number: Long, value: V): Numbered<V> =
        Numbered(root.with(Leaf(number, value), 0), if (number in this) size else size + 1)

    fun minus(number: Long): Numbered<V> = if (number in this) Numbered(root.without(number, 0), size - 1) else this

    @Suppress("UNCHECKED_CAST")
    private fun value(leaf: Leaf) = leaf.value as V

    private fun leaves(): List<Leaf> = ArrayList<Leaf>(size).also { root.collect(it) }.apply { sortBy { it.number } }

    override fun equals(other: Any?): Boolean =
        other is Numbered<*> && numbers == other.numbers && values == other.values

    override fun hashCode(): Int = numbers.hashCode()

    override fun toString(): String = leaves().joinToString(prefix = "{", postfix = "}") { "${it.number}=${it.value}" }

    private class Leaf(val number: Long, val value: Any)

    /** Bit n of [bits] says that there is something for the piece n of a number: in [kids], a leaf or a node. */
    private class Node(val bits: Int, val kids: Array<Any>) {
        fun find(number: Long): Leaf? {
            var node = this
            var shift = 0
            while (true) {
                val bit = bitOf(number, shift)
                if (node.bits and bit == 0) return null
                when (val kid = node.kids[node.at(bit)]) {
                    is Node -> node = kid
                    else -> return (kid as Leaf).takeIf { it.number == number }
                }
                shift += PIECE
            }
        }

        fun with(leaf: Leaf, shift: Int): Node {
            val bit = bitOf(leaf.number, shift)
            val at = at(bit)
            if (bits and bit == 0) return Node(bits or bit, inserted(at, leaf))
            val kid = kids[at]
            val next = when {
                kid is Node -> kid.with(leaf, shift + PIECE)
                (kid as Leaf).number == leaf.number -> leaf
                else -> EMPTY.with(kid, shift + PIECE).with(leaf, shift + PIECE)
            }
            return Node(bits, kids.copyOf().also { it[at] = next })
        }

        /** There is one. */
        fun without(number: Long, shift: Int): Node {
            val bit = bitOf(number, shift)
            val at = at(bit)
            val kid = kids[at] as? Node ?: return Node(bits xor bit, removed(at))
            val less = kid.without(number, shift + PIECE)
            // A single leaf needs no node of its own.
            val next = less.kids.singleOrNull() as? Leaf ?: less
            return Node(bits, kids.copyOf().also { it[at] = next })
        }

        fun collect(into: MutableList<Leaf>) {
            for (kid in kids) if (kid is Node) kid.collect(into) else into += kid as Leaf
        }

        private fun at(bit: Int) = (bits and (bit - 1)).countOneBits()

        private fun inserted(at: Int, kid: Any): Array<Any> = Array(kids.size + 1) {
            when {
                it < at -> kids[it]
                it == at -> kid
                else -> kids[it - 1]
            }
        }

        private fun removed(at: Int): Array<Any> = Array(kids.size - 1) { kids[if (it < at) it else it + 1] }
    }

    companion object {
        private const val PIECE = 5
        private val EMPTY = Node(0, emptyArray())

        fun <V : Any> none(): Numbered<V> = Numbered(EMPTY, 0)

        private fun bitOf(number: Long, shift: Int): Int = 1 shl ((number ushr shift).toInt() and 31)
    }
}
