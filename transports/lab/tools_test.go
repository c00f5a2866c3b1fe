package lab

import "testing"

// toolCases are the simulated tools; they are like shCases.
var toolCases = []shCase{
	{"cat", "printf a >f; cat f - <f; cat none; echo $?", "aa1\n", 0},
	{"head and tail", "printf '1\\n2\\n3\\n4\\n' >f; head -n 2 f; head -1 f; head -c 3 f; echo; tail -n 1 f; tail -n +3 f; tail -c 2 f; tail -n 0 f", "1\n2\n1\n1\n2\n4\n3\n4\n4\n", 0},
	{"head without a newline", "printf '1\\n2' >f; head -n 5 f; tail -n 1 f", "1\n22", 0},
	{"wc", "printf 'a b\\nc\\n' >f; wc -c <f; wc -l <f; wc -w <f; wc -c f; echo $(wc -c f f none 2>/dev/null)", "6\n2\n3\n6 f\n6 f 6 f 12 total\n", 0},
	{"sort", "printf 'b\\na\\n10\\n9\\na\\n' >f; sort f; sort -rn f | head -n 2; sort -u f | wc -l", "10\n9\na\na\nb\n10\n9\n4\n", 0},
	{"grep", "printf 'abc\\na.c\\nABC\\n' >f; grep a.c f; grep -F a.c f; grep -c a f; grep -i -x abc f; grep -n B f; grep -v -E 'a|A' f; echo $?",
		"abc\na.c\na.c\n2\nabc\nABC\n3:ABC\n1\n", 0},
	{"grep -q", "printf 'x\\n' >f; grep -q x f none 2>/dev/null; echo $?; grep -q y f; echo $?; grep -s y none; echo $?; grep x f f", "0\n1\n2\nf:x\nf:x\n", 0},
	{"grep basic", "printf 'a+b\\naab\\n' >f; grep 'a+b' f; grep 'a\\+b' f; grep -e aab -e zzz f; grep -E 'a{2}' f", "a+b\naab\naab\naab\n", 0},
	{"mkdir", "mkdir a; mkdir a 2>/dev/null; echo $?; mkdir -p a/b/c a; mkdir x/y 2>/dev/null; echo $?; mkdir -m 700 p; stat -c %a p; [ -d a/b/c ] && echo ok", "1\n1\n700\nok\n", 0},
	{"rmdir", "mkdir -p a/b; rmdir a 2>/dev/null; echo $?; rmdir a/b a && [ ! -e a ] && echo gone", "1\ngone\n", 0},
	{"rm", "mkdir -p d/e; touch d/f g; rm d 2>/dev/null; echo $?; rm -rf d none; rm none 2>/dev/null; echo $?; rm -f none; echo $?; ls", "1\n1\n0\ng\n", 0},
	{"rm of a link", "mkdir d; touch d/f; ln -s d l; rm -rf l; ls d; ls", "f\nd\n", 0},
	{"mv", "echo a >f; mv f g; cat g; mkdir d; mv g d; cat d/g; mv none x 2>/dev/null; echo $?; mkdir e; mv d e; cat e/d/g", "a\na\n1\na\n", 0},
	{"mv over", "echo a >f; echo b >g; mv f g; cat g; mkdir d; mv -T d g 2>/dev/null; echo $?; mkdir -p e/d; touch e/d/x; mv d e 2>/dev/null; echo $?", "a\n1\n1\n", 0},
	{"cp", "echo a >f; chmod 640 f; cp f g; stat -c %a g; mkdir d; cp f d; cat d/f; cp d x 2>/dev/null; echo $?; cp -r d x; cat x/f", "640\na\n1\na\n", 0},
	{"cp -p", "echo a >f; chmod 751 f; umask 077; cp f g; cp -p f h; stat -c '%a %n' g h; [ $(stat -c %Y f) = $(stat -c %Y h) ] && echo time", "700 g\n751 h\ntime\n", 0},
	{"ln", "echo a >f; ln f g; echo b >>g; cat f; stat -c %h f; ln -s f l; readlink l; cat l; ln -s x l 2>/dev/null; echo $?; ln -sf x l; readlink l", "a\nb\n2\nf\na\nb\n1\nx\n", 0},
	{"ln into a folder", "mkdir d; echo a >f; ln -s ../f d; cat d/f; ln -s d e; ln -sfn f e; readlink e", "a\nf\n", 0},
	{"chmod", "touch f; chmod 640 f; stat -c %a f; chmod u+x,g-r f; stat -c %a f; chmod a=r f; stat -c %A f; mkdir d; chmod 1777 d; stat -c '%a %A' d; chmod zz f 2>/dev/null; echo $?",
		"640\n700\n-r--r--r--\n1777 drwxrwxrwt\n1\n", 0},
	{"chmod -R", "mkdir -p d/e; touch d/e/f; chmod -R 700 d; stat -c %a d d/e d/e/f; chmod 4755 d/e/f; stat -c %A d/e/f", "700\n700\n700\n-rwsr-xr-x\n", 0},
	{"touch", "touch f; echo a >g; touch g; cat g; ls; touch -c none; touch x/y 2>/dev/null; echo $?", "a\nf\ng\n1\n", 0},
	{"readlink", "mkdir d; ln -s d l; touch d/f; readlink f; echo $?; [ $(readlink -f l/f) = $(pwd -P)/d/f ] && echo same", "1\nsame\n", 0},
	{"stat", "printf abc >f; stat -c '%s %F %n' f; mkdir d; stat -c %F d; ln -s f l; stat -c %F l; stat -L -c %F l; : >e; stat -c %F e; stat -c %s none 2>/dev/null; echo $?",
		"3 regular file f\ndirectory\nsymbolic link\nregular file\nregular empty file\n1\n", 0},
	{"ls", "mkdir d; touch d/b d/a d/.h; ls d; ls -A d; ls -d d; ls none 2>/dev/null; echo $?", "a\nb\n.h\na\nb\nd\n2\n", 0},
	{"ls -l", "umask 022; mkdir d; ln -s x l; ls -ld d | grep -c '^drwxr-xr-x'; ls -l l | grep -c '^l.* l -> x$'", "1\n1\n", 0},
	{"date", "date -u -d @0 '+%Y-%m-%d %H:%M:%S %s'; date -u -d @86400 +%F; [ $(date +%s) -gt 1000 ] && echo now", "1970-01-01 00:00:00 0\n1970-01-02\nnow\n", 0},
	{"sleep", "sleep 0; sleep 0.01; sleep x 2>/dev/null; echo $?", "1\n", 0},
	{"nohup and setsid", "nohup sh -c 'echo a; exit 3' 2>/dev/null; echo $?; setsid -w sh -c 'echo b; exit 4'; echo $?; nohup none 2>/dev/null; echo $?", "a\n3\nb\n4\n127\n", 0},
	{"timeout", "timeout 60 sh -c 'exit 3'; echo $?; timeout 0.05 sleep 60; echo $?; timeout -k 1 -s KILL 0.05 sleep 60; echo $?; timeout 1 none 2>/dev/null; echo $?; timeout 2>/dev/null; echo $?; echo in | timeout 60 cat; timeout 0 true; echo $?",
		"3\n124\n137\n127\n125\nin\n0\n", 0},
	{"proc", "read -r l </proc/self/stat; [ -n \"$l\" ] && [ -r /proc/$$/cmdline ] && [ -d /proc/$$ ] && echo ok; [ -e /proc/0 ] || echo none; read -r u </proc/uptime && echo up", "ok\nnone\nup\n", 0},
	{"df", "df -Pk / | wc -l; df -Pk / /none 2>/dev/null >f; echo $?; grep -c ' /$' f", "2\n1\n1\n", 0},
	{"uname", "uname; uname -s; [ $(uname -srm | wc -w) = 3 ] && echo three", "Linux\nLinux\nthree\n", 0},
	{"env", "A=b env | grep ^A=; env -u A A=c sh -c 'echo $A'; env -Z 2>/dev/null; echo $?", "A=b\nc\n125\n", 0},
	{"errors are worded", "{ cat none; rm none; mkdir a/b; rmdir none; ls none; mv none x; ln -s a; chmod 1; head none; grep x none; sleep z; } 2>&1 | head -n 6",
		"cat: none: No such file or directory\nrm: cannot remove 'none': No such file or directory\nmkdir: cannot create directory 'a/b': No such file or directory\n" +
			"rmdir: failed to remove 'none': No such file or directory\nls: cannot access 'none': No such file or directory\nmv: cannot stat 'none': No such file or directory\n", 0},
	{"true and false", "/bin/true; echo $?; /bin/false; echo $?; /bin/echo a b", "0\n1\na b\n", 0},
}

func TestTools(t *testing.T) {
	_, h := oneHost(t, "debian")
	runCases(t, h, toolCases)
}
