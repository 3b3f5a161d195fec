#include "log/manifest.h"

#include <assert.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/err.h"

enum { CRC_AT = 60 };

/* The last byte is the version of the file's format. */
static const uint8_t magic[8] = {'A', 'T', 'E', 'C', 'U', 'R', 0, 1};

void manifest_put(uint8_t bytes[MANIFEST_SIZE], const struct manifest *manifest)
{
    assert(manifest->generation > 0);
    memset(bytes, 0, MANIFEST_SIZE);
    memcpy(bytes, magic, sizeof(magic));
    put_le64(bytes + 8, manifest->generation);
    memcpy(bytes + 16, manifest->chain, sizeof(manifest->chain));
    memcpy(bytes + 32, manifest->first, sizeof(manifest->first));
    put_le32(bytes + CRC_AT, crc32c(0, bytes, CRC_AT));
}

int manifest_get(struct manifest *manifest, struct bytes bytes, struct err *err)
{
    const uint8_t *p = bytes.data;
    if (bytes.len != MANIFEST_SIZE)
        return err_set(err, ATE_ECORRUPT, "it is not %d bytes long",
                       MANIFEST_SIZE);
    if (memcmp(p, magic, sizeof(magic) - 1) != 0)
        return err_set(err, ATE_ECORRUPT, "it does not begin as it should");
    if (get_le32(p + CRC_AT) != crc32c(0, p, CRC_AT))
        return err_set(err, ATE_ECORRUPT, "its checksum does not match");
    if (p[7] != magic[7])
        return err_set(err, ATE_EUNAVAILABLE,
                       "it has format %u, this program reads format %u",
                       (unsigned)p[7], (unsigned)magic[7]);
    manifest->generation = get_le64(p + 8);
    memcpy(manifest->chain, p + 16, sizeof(manifest->chain));
    memcpy(manifest->first, p + 32, sizeof(manifest->first));
    static const uint8_t zeros[CRC_AT - 48];
    if (manifest->generation == 0 || memcmp(p + 48, zeros, sizeof(zeros)) != 0)
        return err_set(err, ATE_ECORRUPT, "it makes no sense");
    return 0;
}
