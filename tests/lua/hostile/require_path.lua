-- expect: SCRIPT there is no module '../../etc/passwd'
return require('../../etc/passwd')
