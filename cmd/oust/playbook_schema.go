package main

import (
	"github.com/spf13/cobra"

	"oust/playbooks"
)

func (a *app) playbookSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the format as a JSON Schema, for editors",
		Long: `Prints the JSON Schema (2020-12) of playbooks. Keep it in a file, and name that in the
first line of a playbook for editors with yaml-language-server:

  # yaml-language-server: $schema=playbook.schema.json

What 'oust playbook lint' checks is more than a schema can say.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.Out.Write(playbooks.Schema())
			return err
		},
	}
}
