module aileron.example/guest

go 1.24
