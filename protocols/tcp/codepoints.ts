/** RFC 3168 §5: the codepoints in the low two bits of an IP header's traffic class. */
export const NOT_ECT = 0
export const ECT_1 = 1
export const ECT_0 = 2
export const CE = 3
export const ECN_BITS = 3
