package software

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"oust/remediate"
)

func sorted(has []Installed) []Installed {
	slices.SortFunc(has, func(a, b Installed) int {
		return cmp.Or(cmp.Compare(a.Manager, b.Manager), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return has
}

func TestOfUnix(t *testing.T) {
	t.Parallel()
	got := sorted(Of(&remediate.Facts{Packages: []remediate.Package{
		{Manager: "dpkg", Name: "bash", Version: "5.2", Arch: "amd64", Status: remediate.PackageInstalled},
		{Manager: "dpkg", Name: "bash", Version: "5.2", Arch: "i386", Status: remediate.PackageInstalled},
		{Manager: "dpkg", Name: "gone", Version: "1", Status: remediate.PackageConfigFiles},
		{Manager: "dpkg", Name: "half", Version: "1", Status: remediate.PackageBroken},
		{Manager: "rpm", Name: "kernel", Version: "6.1", Vendor: " Fedora Project ", Status: remediate.PackageInstalled},
		{Manager: "rpm", Name: "kernel", Version: "6.2", Vendor: "Fedora Project", Status: remediate.PackageInstalled},
		{Manager: "app", Name: strings.Repeat("é", maxText), Status: remediate.PackageInstalled},
		{Manager: "app", Name: " ", Status: remediate.PackageInstalled},
	}}))
	want := []Installed{
		{"app", strings.Repeat("é", maxText/2), "", ""},
		{"dpkg", "bash", "", "5.2"},
		{"dpkg", "half", "", "1"},
		{"rpm", "kernel", "Fedora Project", "6.1"},
		{"rpm", "kernel", "Fedora Project", "6.2"},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOfWindows(t *testing.T) {
	t.Parallel()
	got := sorted(Of(&remediate.Facts{Windows: &remediate.WindowsFacts{
		Uninstall: []remediate.UninstallEntry{
			{Hive: "HKLM", View: remediate.View64, Key: "7-Zip", DisplayName: "7-Zip", Publisher: "Igor Pavlov", DisplayVersion: "23.01"},
			{Hive: "HKLM", View: remediate.View32, Key: "7-Zip", DisplayName: "7-Zip", Publisher: "Igor Pavlov", DisplayVersion: "23.01"},
			{Hive: "HKU\\S-1-5-21-1-2-3-1001", View: remediate.ViewBoth, Key: "WeChat", DisplayName: "微信", Publisher: "Tencent"},
			{Hive: "HKLM", View: remediate.View64, Key: "{0000}", Publisher: "Nobody"},
		},
		Appx: []remediate.AppxPackage{{Name: "TikTok", Publisher: "CN=Someone", Version: "1.0.6.0"}},
	}}))
	want := []Installed{
		{ManagerMSIX, "TikTok", "CN=Someone", "1.0.6.0"},
		{ManagerUninstall, "7-Zip", "Igor Pavlov", "23.01"},
		{ManagerUninstall, "{0000}", "Nobody", ""},
		{ManagerUninstall, "微信", "Tencent", ""},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
