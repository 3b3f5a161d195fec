#include "bench.h"
void opening_rows(void){} void reading_rows(void){} void chains_rows(void){} void growth_rows(void){} void socket_rows(void){}
