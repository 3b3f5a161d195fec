-- The configuration of a node of ate: see ate.conf(5). `ate config check` tells
-- what is wrong in it; HUP (systemctl reload ate) reads it again.
return {
    log = 'logfmt', -- or 'json'

    -- REST, on this machine alone; and what monitors ask.
    -- rest = '8080',
    -- metrics = '9090',

    -- REST for others.
    -- rest = '0.0.0.0:443',
    -- tls = {cert = 'cert.pem', key = 'key.pem'},
    -- cors = {'https://shop.example.com'},

    -- How much the doors take; `ate config show` has the defaults.
    -- limits = {rest_body = 1048576, rest_connections = 4096, rest_idle_s = 60},

    -- Schemas that are put in force at start and on HUP.
    -- schemas = {bank = 'bank.lua'},

    -- Whom workers may ask. Keep keys in files of their own.
    -- http = {
    --     hosts = {
    --         'hooks.example.com',
    --         {host = 'pay.example.com',
    --             headers = {Authorization = {file = 'pay.key'}}},
    --     },
    --     private = {'10.1.0.0/16'},
    -- },
}
