package abi

import (
	"strings"

	"libvirt.org/go/libvirtxml"
)

const featuresFunction = "virDomainDefFeaturesCheckABIStability"

type (
	featureList  = libvirtxml.DomainFeatureList
	featureState = libvirtxml.DomainFeatureState
)

func featuresOf(d *domain) featureList { return deref(d.Features) }

// present is a switch that is on by being there.
func present(set bool) value {
	if set {
		return fixed("on")
	}
	return fixed("default")
}

// state is a switch with a state, on where that is not given.
func state(f *featureState) value {
	if f == nil {
		return fixed("default")
	}
	return or(f.State, "on")
}

func features() *kind[domain] {
	return once(featuresFunction, featureFields()...)
}

func featureFields() []field[domain] {
	fields := []field[domain]{
		{path: "features/acpi", message: "State of feature 'acpi' differs: source: '%[2]s', destination: '%[1]s'",
			value: func(d *domain) value {
				v := present(featuresOf(d).ACPI != nil)
				v.open = strings.HasPrefix(osType(d).Arch, "s390") // libvirt drops it there
				return v
			}},
		{path: "features/smm", message: "State of feature 'smm' differs: source: '%[2]s', destination: '%[1]s'",
			value: func(d *domain) value {
				os, smm := deref(d.OS), featuresOf(d).SMM
				if smm == nil {
					// Secure firmware switches it on.
					return value{"default", os.Firmware != "" || os.Loader != nil}
				}
				return or(smm.State, "on")
			}},
	}
	add := func(path, message string, get func(featureList) value, when func(featureList) bool) {
		f := field[domain]{path: "features/" + path, message: message,
			value: func(d *domain) value { return get(featuresOf(d)) }}
		if when != nil {
			f.when = func(d *domain) bool { return when(featuresOf(d)) }
		}
		fields = append(fields, f)
	}
	for _, s := range switches {
		add(s.name, "State of feature '"+s.name+"' differs: source: '%[2]s', destination: '%[1]s'", s.value, nil)
	}
	for _, s := range enlightenments {
		add("hyperv/"+s.name, "State of HyperV enlightenment feature '"+s.name+"' differs: source: '%[2]s', destination: '%[1]s'",
			func(f featureList) value { return state(s.of(deref(f.HyperV))) },
			func(f featureList) bool { return f.HyperV != nil })
	}
	add("hyperv/spinlocks/@retries", "HyperV spinlock retry count differs: source: '%[2]s', destination: '%[1]s'",
		func(f featureList) value { return number(deref(deref(f.HyperV).Spinlocks).Retries) },
		func(f featureList) bool { return f.HyperV != nil })
	add("hyperv/vendor_id/@value", "HyperV vendor_id differs: source: '%[2]s', destination: '%[1]s'",
		func(f featureList) value { return null(deref(deref(f.HyperV).VendorId).Value) },
		func(f featureList) bool { return f.HyperV != nil })
	for _, s := range kvmFeatures {
		add("kvm/"+s.name, "State of KVM feature '"+s.name+"' differs: source: '%[2]s', destination: '%[1]s'",
			func(f featureList) value { return state(s.of(deref(f.KVM))) },
			func(f featureList) bool { return f.KVM != nil })
	}
	return fields
}

// switches are the features that are on or off by themselves.
var switches = []struct {
	name  string
	value func(featureList) value
}{
	{"pae", func(f featureList) value { return present(f.PAE != nil) }},
	{"hap", func(f featureList) value { return state(f.HAP) }},
	{"viridian", func(f featureList) value { return present(f.Viridian != nil) }},
	{"privnet", func(f featureList) value { return present(f.PrivNet != nil) }},
	{"hyperv", func(f featureList) value {
		// libvirt prints the modes custom and passthrough as states.
		switch {
		case f.HyperV != nil && f.HyperV.Mode == "passthrough":
			return fixed("off")
		case f.HyperV != nil && f.HyperV.Mode == "host-model":
			return value{open: true} // newer than 11.3
		}
		return present(f.HyperV != nil)
	}},
	{"kvm", func(f featureList) value { return present(f.KVM != nil) }},
	{"pvspinlock", func(f featureList) value { return state(f.PVSpinlock) }},
	{"pmu", func(f featureList) value { return state(f.PMU) }},
	{"vmport", func(f featureList) value { return state(f.VMPort) }},
	{"vmcoreinfo", func(f featureList) value { return state(f.VMCoreInfo) }},
	{"htm", func(f featureList) value { return state(f.HTM) }},
	{"nested-hv", func(f featureList) value { return state(f.NestedHV) }},
	{"ccf-assist", func(f featureList) value { return state(f.CCFAssist) }},
	{"ras", func(f featureList) value { return state(f.RAS) }},
	{"ps2", func(f featureList) value { return state(f.PS2) }},
}

type hyperV = libvirtxml.DomainFeatureHyperV

var enlightenments = []struct {
	name string
	of   func(hyperV) *featureState
}{
	{"relaxed", func(h hyperV) *featureState { return h.Relaxed }},
	{"vapic", func(h hyperV) *featureState { return h.VAPIC }},
	{"vpindex", func(h hyperV) *featureState { return h.VPIndex }},
	{"runtime", func(h hyperV) *featureState { return h.Runtime }},
	{"synic", func(h hyperV) *featureState { return h.Synic }},
	{"stimer", func(h hyperV) *featureState {
		if h.STimer == nil {
			return nil
		}
		return &h.STimer.DomainFeatureState
	}},
	{"reset", func(h hyperV) *featureState { return h.Reset }},
	{"frequencies", func(h hyperV) *featureState { return h.Frequencies }},
	{"reenlightenment", func(h hyperV) *featureState { return h.ReEnlightenment }},
	{"tlbflush", func(h hyperV) *featureState {
		if h.TLBFlush == nil {
			return nil
		}
		return &h.TLBFlush.DomainFeatureState
	}},
	{"ipi", func(h hyperV) *featureState { return h.IPI }},
	{"evmcs", func(h hyperV) *featureState { return h.EVMCS }},
	{"avic", func(h hyperV) *featureState { return h.AVIC }},
	{"emsr_bitmap", func(h hyperV) *featureState { return h.EMSRBitmap }},
	{"xmm_input", func(h hyperV) *featureState { return h.XMMInput }},
}

type kvmFeature = libvirtxml.DomainFeatureKVM

var kvmFeatures = []struct {
	name string
	of   func(kvmFeature) *featureState
}{
	{"hidden", func(k kvmFeature) *featureState { return k.Hidden }},
	{"hint-dedicated", func(k kvmFeature) *featureState { return k.HintDedicated }},
	{"poll-control", func(k kvmFeature) *featureState { return k.PollControl }},
	{"pv-ipi", func(k kvmFeature) *featureState { return k.PVIPI }},
}

type timer = libvirtxml.DomainTimer

func timers() *kind[timer] {
	return &kind[timer]{
		path: "/domain/clock/timer", function: "virDomainTimerDefCheckABIStability",
		count: "Target domain timers do not match source",
		list:  func(d *domain) []timer { return deref(d.Clock).Timer },
		fields: []field[timer]{
			{path: "@name", message: "Target timer %[1]s does not match source %[2]s",
				value: func(t *timer) value { return fixed(t.Name) }},
			{path: "@present", message: "Target timer presence '%[1]s' does not match source '%[2]s'",
				value: func(t *timer) value { return tristate(t.Present) }},
			{path: "@frequency", message: "Target TSC frequency %[1]s does not match source %[2]s",
				value: func(t *timer) value { return number(t.Frequency) }, when: isTSC},
			{path: "@mode", message: "Target TSC mode %[1]s does not match source %[2]s",
				value: func(t *timer) value { return filled(t.Mode) }, when: isTSC},
		},
	}
}

func isTSC(t *timer) bool { return t.Name == "tsc" }

func sysinfos() *kind[libvirtxml.DomainSysInfo] {
	return &kind[libvirtxml.DomainSysInfo]{
		path: "/domain/sysinfo", function: domainFunction,
		count: "Target domain count of sysinfo does not match source",
		list:  func(d *domain) []libvirtxml.DomainSysInfo { return d.SysInfo },
	}
}
