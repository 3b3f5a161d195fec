-- expect: SCRIPT `string` is not declared, and globals
string = {}
