/* version: of this engine, as genesis and `ate --version` name it. */
#ifndef ATE_BASE_VERSION_H
#define ATE_BASE_VERSION_H

#define ENGINE_VERSION "0.1.0"
#endif
