-- What `make check` asks of all Lua. Some of what tests load is meant to be bad.
std = 'luajit'
self = false
exclude_files = {'tests/lua/hostile', 'tests/lua/mistakes', 'lua/author'}
files['lua/ate'] = {read_globals = {'host'}}
files['tests/golden/lua'] = {read_globals = {'host'}}
