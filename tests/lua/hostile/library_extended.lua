-- expect: SCRIPT table.mine was changed while the bundle was loaded
table.mine = {}
return 1
