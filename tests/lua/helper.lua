--- Found by busted before the specs: the module `ate` and all of lua/ that
package.path = 'tests/system/?.lua;' .. package.path
-- stands in it, as the program has them.
package.cpath = (os.getenv('ATE_BUILD') or 'build') .. '/?.so;'
    .. package.cpath
require('ate')
