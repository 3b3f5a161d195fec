-- expect: SCRIPT `loadstring` is not available here
return loadstring('\27LJ\2')
