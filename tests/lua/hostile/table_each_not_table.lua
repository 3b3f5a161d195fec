-- expect: SCRIPT ate.each: argument 1 must be a table, got nil
return function()
    for _ in require('ate.lib').each(nil) do
    end
end
