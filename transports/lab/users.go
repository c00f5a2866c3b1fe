package lab

// user is an account of the simulated hosts.
type user struct {
	name     string
	uid, gid uint32
	home     string
	// sudo says what the account may do: "", "password" or "nopasswd".
	sudo string
	// groups are names of groups besides the account's own.
	groups []string
}

// The accounts of every host. Passwords are those of Config.
var (
	root  = user{name: "root", home: "/root"}
	users = []*user{
		&root,
		{name: "ops", uid: 1000, gid: 1000, home: "/home/ops", sudo: sudoPassword, groups: []string{"sudo"}},
		{name: "deploy", uid: 1001, gid: 1001, home: "/home/deploy", sudo: sudoNoPassword},
		{name: "guest", uid: 1002, gid: 1002, home: "/home/guest"},
	}
)

const (
	sudoPassword   = "password"
	sudoNoPassword = "nopasswd"
)

func userNamed(name string) *user {
	for _, u := range users {
		if u.name == name {
			return u
		}
	}
	return nil
}

func userName(uid uint32) string {
	for _, u := range users {
		if u.uid == uid {
			return u.name
		}
	}
	return "nobody"
}
