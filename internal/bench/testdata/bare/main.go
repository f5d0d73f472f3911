// Bare does nothing: what Go itself costs.
package main

func main() {}
