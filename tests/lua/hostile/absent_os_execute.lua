-- expect: SCRIPT `os.execute` is not available here
return os.execute('true')
