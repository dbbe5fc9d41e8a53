// Reads a dashboard by Grafana's own schema, strictly: a key that it does not know, or a value of another kind, is an error.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// The library gives an empty list of problems, as an error that is not nil, for none.
func complain(err error) {
	if err != nil && err.Error() != "" {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	plugins.RegisterDefaultPlugins()
	raw, err := os.ReadFile(os.Args[1])
	complain(err)
	read := dashboard.Dashboard{}
	complain(read.UnmarshalJSONStrict(raw))
	complain(read.Validate())
}
