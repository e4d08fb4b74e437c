# nm -n output to a sorted table of text symbols (vmkernel/console/ksyms.c):
# addresses, offsets of the names, names.
BEGIN { n = 0 }
$2 ~ /^[tT]$/ && $3 !~ /^\./ { addr[n] = $1; name[n] = $3; n++ }
END {
	print "\t.section .ksyms, \"a\"\n\t.globl ksyms_count, ksyms_address, ksyms_name, ksyms_names"
	print "\t.balign 8\nksyms_count: .quad " n
	print "ksyms_address:"
	for (i = 0; i < n; i++) print "\t.quad 0x" addr[i]
	print "ksyms_name:"
	off = 0
	for (i = 0; i < n; i++) { print "\t.long " off; off += length(name[i]) + 1 }
	print "ksyms_names:"
	for (i = 0; i < n; i++) print "\t.asciz \"" name[i] "\""
	print "\t.section .note.GNU-stack, \"\", @progbits"
}
