package spec_test
import ("testing"; "github.com/virthook/virthook/spec";"github.com/stretchr/testify/require")
func TestBuiltin(t *testing.T){ _, err := spec.Builtin(); require.NoError(t, err) }
