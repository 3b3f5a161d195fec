-- expect: SCRIPT `print` is not available here
return print('x')
