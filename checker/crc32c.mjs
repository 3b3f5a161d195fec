/** crc32c: Castagnoli's, four bytes at a time. */

const TABLES = Array.from({length: 4}, () => new Uint32Array(256));

for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++)
        crc = crc & 1 ? crc >>> 1 ^ 0x82f63b78 : crc >>> 1;
    TABLES[0][byte] = crc;
}
for (let byte = 0; byte < 256; byte++)
    for (let i = 1; i < 4; i++) {
        const before = TABLES[i - 1][byte];
        TABLES[i][byte] = TABLES[0][before & 0xff] ^ before >>> 8;
    }
const [T0, T1, T2, T3] = TABLES;

/** Of `bytes`, going on from the checksum of what stands before them. */
export function crc32c(bytes, before = 0) {
    let crc = ~before;
    let at = 0;
    for (; at + 4 <= bytes.length; at += 4) {
        crc ^= bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 |
            bytes[at + 3] << 24;
        crc = T3[crc & 0xff] ^ T2[crc >>> 8 & 0xff] ^ T1[crc >>> 16 & 0xff] ^
            T0[crc >>> 24];
    }
    for (; at < bytes.length; at++)
        crc = T0[(crc ^ bytes[at]) & 0xff] ^ crc >>> 8;
    return ~crc >>> 0;
}
