/* crc32c: the checksum of frames, slots and lines (CRC-32C, Castagnoli). */
#ifndef ATE_BASE_CRC32C_H
#define ATE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Start with crc 0; what comes back may be passed in again to go on with the
 * bytes that follow. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The same without the processor's instruction, which crc32c uses if it can. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);
#endif
