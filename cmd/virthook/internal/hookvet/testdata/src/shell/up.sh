logger up
