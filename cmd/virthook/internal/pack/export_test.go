package pack

// SumOf is for tests.
var SumOf = sumOf
