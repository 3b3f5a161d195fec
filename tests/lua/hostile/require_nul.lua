-- expect: SCRIPT a module's name has 1 to 128 characters
return require('a\0b')
