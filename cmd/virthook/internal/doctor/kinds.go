package doctor

// Kind is a sort of finding.
type Kind struct {
	ID       string
	Severity Severity // of most of them
	Means    string
	Why      string // what libvirt makes of it
}

// Kinds are all that can be found; docs/doctor.md has them as a table.
var Kinds = []Kind{
	{"hooks-dir-missing", Problem, "The hooks folder is not there, or is no folder", "libvirt looks for hooks in this one folder, and runs none when it is not there"},
	{"hooks-dir-elsewhere", Problem, "Hooks are in a folder that this libvirt does not read", "the folder is fixed when libvirt is built: /etc/libvirt/hooks of packages, /usr/local/etc/libvirt/hooks of source builds and FreeBSD, /var/lib/libvirt/hooks of NixOS"},
	{"no-hooks", Note, "No driver has a hook", "there is nothing for libvirt to run"},
	{"driver-d-not-a-folder", Problem, "DRIVER.d is no folder", "libvirt cannot read it, which fails every call of the driver's hooks: no guest starts"},
	{"driver-d-too-new", Problem, "Hooks are in DRIVER.d, and libvirt is older than 6.5.0", "before 6.5.0 libvirt runs hooks/DRIVER alone"},
	{"unreadable", Problem, "A hook or a folder cannot be looked at", "what root cannot read libvirt cannot run"},
	{"writable", Problem, "A hook, or a folder above it, is writable by its group or by everybody", "libvirt runs hooks as root: who can change one is root"},
	{"owner", Problem, "A hook, or a folder above it, does not belong to root", "libvirt runs hooks as root: whose the file is can change it, and is root"},
	{"setuid", Warning, "A hook is setuid or setgid", "libvirt runs it as root anyway: the bits only help others, who may run it with any arguments"},
	{"not-executable", Problem, "A hook is not executable", "libvirt passes over it without a word"},
	{"not-a-file", Problem, "What is at the place of a hook is a folder, a pipe or a device", "libvirt runs regular files alone, does not look into folders below DRIVER.d, and says nothing"},
	{"dangling-link", Problem, "A link leads nowhere", "libvirt passes over it without a word"},
	{"link-out", Note, "A link leads out of the hooks folder", "AppArmor's and SELinux's rules for hooks are about the hooks folder: elsewhere the program may be refused"},
	{"backup-runs", Problem, "A backup or a hidden file in DRIVER.d is executable", "libvirt runs every executable in DRIVER.d whatever its name, also foo~, .foo.swp and foo.rpmsave"},
	{"document-runs", Problem, "A text in DRIVER.d is executable", "libvirt runs every executable in DRIVER.d; one that fails fails the call, and no guest starts"},
	{"misnamed", Problem, "A file or folder is named like a driver, but not as it", "libvirt looks for hooks/DRIVER and hooks/DRIVER.d, with the name in small letters and no ending"},
	{"never-looked-at", Note, "A program in the hooks folder has the name of no driver", "libvirt does not run it; the scripts of another hook may"},
	{"runs-twice", Warning, "The same program is twice among the hooks of a driver", "libvirt runs both"},
	{"interpreter-missing", Problem, "The interpreter of a script is not there", "the hook ends with status 127 at each call, which refuses guests their start"},
	{"crlf", Problem, "The lines of a script end with CR LF", "the system looks for an interpreter whose name ends with CR: status 127 at each call"},
	{"no-format", Problem, "A hook is neither a program nor begins with #!", "the system cannot execute it: status 126 at each call, which refuses guests their start"},
	{"empty", Problem, "A hook is an empty file", "the system cannot execute it: status 126 at each call, which refuses guests their start"},
	{"wrong-machine", Problem, "A hook is a program for another machine or system", "the system cannot execute it: status 126 at each call, which refuses guests their start"},
	{"loader-missing", Problem, "The loader of a dynamic program is not there", "the system cannot execute it: status 127 at each call, which refuses guests their start"},
	{"library-missing", Problem, "A library of a dynamic program is not there", "the program ends with status 127 at each call, which refuses guests their start"},
	{"noexec", Problem, "A hook is on a file system that is mounted noexec", "the system does not execute what is there: status 126 at each call, which refuses guests their start"},
	{"libvirt-missing", Problem, "There is no libvirt on the host", "nothing calls hooks"},
	{"daemon-missing", Problem, "A driver has hooks, but no daemon that calls them", "each driver's hooks are called by its own daemon, or by libvirtd if it has the driver"},
	{"daemon-not-running", Problem, "The daemon that calls a driver's hooks does not run", "nothing calls the hooks"},
	{"both-daemons", Warning, "libvirtd and the modular daemons are both in use", "they manage the same guests without knowing of each other: which of them calls a hook depends on who was asked"},
	{"daemon-outdated", Warning, "A daemon runs a libvirt that has been replaced", "it behaves as the old version until it is restarted; a restart calls the hook reconnect for every running guest, so whether and when is for the host's operator to decide"},
	{"not-reloaded", Problem, "The daemon has not looked for hooks since the driver got its first", "libvirt remembers which drivers have hooks, and looks again only when it is reloaded. Reload, never restart: a restart calls the hook reconnect for every running guest"},
	{"apparmor", Problem, "The daemon's AppArmor profile does not let it execute a hook or its interpreter", "the hook is refused at each call"},
	{"selinux-label", Problem, "A hook has not the label that SELinux's policy has for it", "libvirt's domain may not execute it: a file that was moved keeps the label of where it came from"},
	{"selinux-boolean", Warning, "SELinux's boolean virt_hooks_unconfined is off", "hooks run with the few rights of libvirt's domain, or not at all"},
	{"operation-too-new", Warning, "A hook handles an operation that this libvirt does not have yet", "the handler never runs"},
	{"operation-gone", Warning, "A hook handles an operation that libvirt no longer calls", "the handler never runs"},
	{"unknown-operation", Note, "A hook handles an operation that this virthook does not know", "the hook was made with a newer SDK, or another spec"},
	{"nothing-handled", Problem, "A hook has no handler for the driver that it is installed for", "libvirt runs it at each call, and it does nothing"},
	{"driver-left-out", Warning, "A hook handles operations of a driver that it is not installed for", "libvirt calls it for that driver only from hooks/DRIVER or DRIVER.d"},
	{"describe-failed", Problem, "A hook of virthook's SDK does not answer --describe", "it should answer at once, on every host that can run it"},
	{"copies-differ", Warning, "Two builds of one program are installed", "each driver runs its own copy: an upgrade that missed one leaves it at the old behaviour"},
	{"filter-order", Note, "Several hooks filter the same operation", "each gets what the one before has made of the XML: hooks/DRIVER first, then DRIVER.d in the order of the names"},
	{"never-fired", Note, "A hook has not run since it was installed or changed", "it is no fault, but no proof either that the hook works: start a guest"},
	{"install-changed", Warning, "What virthook install has installed is gone or another file", "somebody has replaced or removed the hook; uninstall will not find what it is to put back"},
	{"not-root", Note, "Doctor does not run as root", "others may not look at all files and processes: what is not seen is not found"},
	{"recording", Note, "virthook record stores calls", "it holds up no guest, and ends by itself at its limit"},
	{"recorder-left", Warning, "A part of virthook record is left", "it does nothing any more"},
}

func kindOf(id string) Kind {
	for _, k := range Kinds {
		if k.ID == id {
			return k
		}
	}
	panic("doctor: no kind of finding is called " + id)
}
