-- expect: SCRIPT `helper` is not declared
function helper()
end
