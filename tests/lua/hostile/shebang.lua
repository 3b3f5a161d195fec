-- expect: SCRIPT unexpected symbol
#!/usr/bin/lua
return 1
