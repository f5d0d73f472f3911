package libvirtxml

type Domain struct{ Name, Title string }

func (d *Domain) Marshal() (string, error) { return "", nil }
