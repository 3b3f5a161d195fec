-- expect: SCRIPT undefined label
goto nowhere
