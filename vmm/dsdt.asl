/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DSDT of every VM: what a hardware-reduced guest finds, and how. */

/*
 * Without the PC's legacy hardware a guest knows only the devices that stand
 * here, so each one is named with its interrupt. The numbers are those of
 * vmm/layout.h and vmm/acpi.h.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "SLUICE", "SLUICEVM", 1)
{
	/* Sleep type of power-off: ACPI_SLEEP_TYPE_S5. */
	Name (\_S5, Package () { 5, 0, 0, 0 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A08")) /* PCI Express root */
			Name (_CID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_SEG, 0)
			Name (_BBN, 0)
			Name (_CCA, 1)

			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed,
					MaxFixed, PosDecode,
					0, 0, 0, 0, 1)
				IO (Decode16, 0xcf8, 0xcf8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed,
					PosDecode, EntireRange,
					0, 0xc000, 0xffff, 0, 0x4000)
				DWordMemory (ResourceProducer, PosDecode,
					MinFixed, MaxFixed, NonCacheable,
					ReadWrite,
					0, 0xc0000000, 0xdfffffff, 0,
					0x20000000)
			})

			/* INTA of slot n is GSI 16 + n % 8. */
			Name (_PRT, Package ()
			{
				Package () { 0x0000FFFF, 0, Zero, 16 },
				Package () { 0x0001FFFF, 0, Zero, 17 },
				Package () { 0x0002FFFF, 0, Zero, 18 },
				Package () { 0x0003FFFF, 0, Zero, 19 },
				Package () { 0x0004FFFF, 0, Zero, 20 },
				Package () { 0x0005FFFF, 0, Zero, 21 },
				Package () { 0x0006FFFF, 0, Zero, 22 },
				Package () { 0x0007FFFF, 0, Zero, 23 },
				Package () { 0x0008FFFF, 0, Zero, 16 },
				Package () { 0x0009FFFF, 0, Zero, 17 },
				Package () { 0x000AFFFF, 0, Zero, 18 },
				Package () { 0x000BFFFF, 0, Zero, 19 },
				Package () { 0x000CFFFF, 0, Zero, 20 },
				Package () { 0x000DFFFF, 0, Zero, 21 },
				Package () { 0x000EFFFF, 0, Zero, 22 },
				Package () { 0x000FFFFF, 0, Zero, 23 },
				Package () { 0x0010FFFF, 0, Zero, 16 },
				Package () { 0x0011FFFF, 0, Zero, 17 },
				Package () { 0x0012FFFF, 0, Zero, 18 },
				Package () { 0x0013FFFF, 0, Zero, 19 },
				Package () { 0x0014FFFF, 0, Zero, 20 },
				Package () { 0x0015FFFF, 0, Zero, 21 },
				Package () { 0x0016FFFF, 0, Zero, 22 },
				Package () { 0x0017FFFF, 0, Zero, 23 },
				Package () { 0x0018FFFF, 0, Zero, 16 },
				Package () { 0x0019FFFF, 0, Zero, 17 },
				Package () { 0x001AFFFF, 0, Zero, 18 },
				Package () { 0x001BFFFF, 0, Zero, 19 },
				Package () { 0x001CFFFF, 0, Zero, 20 },
				Package () { 0x001DFFFF, 0, Zero, 21 },
				Package () { 0x001EFFFF, 0, Zero, 22 },
				Package () { 0x001FFFFF, 0, Zero, 23 }
			})

			/* PCIe features are the guest's, except hot plug, PME
			 * and AER, which no device here has. */
			Method (_OSC, 4, Serialized)
			{
				CreateDWordField (Arg3, 0, CDW1)
				If (LEqual (Arg0, ToUUID (
					"33db4d5b-1ff7-401c-9657-7441c03dd766")))
				{
					CreateDWordField (Arg3, 8, CDW3)
					And (CDW3, 0x10, CDW3)
					If (LNotEqual (Arg1, One))
					{
						Or (CDW1, 8, CDW1)
					}
				}
				Else
				{
					Or (CDW1, 4, CDW1)
				}
				Return (Arg3)
			}
		}

		/* PCI configuration space: nobody else may use it. */
		Device (ECAM)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0xe0000000,
					0x00100000)
			})
		}

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_STA, 0x0f)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x3f8, 0x3f8, 1, 8)
				IRQNoFlags () {4}
			})
		}

		/* For guests that boot by the BIOS, whose interrupts come by
		 * the 8259s: what uses the I/O APIC is to keep off. */
		Device (PIC)
		{
			Name (_HID, EisaId ("PNP0000"))
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x20, 0x20, 1, 2)
				IO (Decode16, 0xa0, 0xa0, 1, 2)
				IO (Decode16, 0x4d0, 0x4d0, 1, 2)
			})
		}

		/* Its IRQ 0 leads to the 8259 only. */
		Device (PIT)
		{
			Name (_HID, EisaId ("PNP0100"))
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x40, 0x40, 1, 4)
			})
		}

		/* Port 0x61: gate and output of the timer's counter 2. */
		Device (SPKR)
		{
			Name (_HID, EisaId ("PNP0800"))
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x61, 0x61, 1, 1)
			})
		}

		Device (RTC)
		{
			Name (_HID, EisaId ("PNP0B00"))
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x70, 0x70, 1, 2)
				IRQNoFlags () {8}
			})
		}

		/* The power button: a request to the whole system to shut
		 * down (ACPI 6.4, table 5.153), which needs no driver. */
		Device (GED)
		{
			Name (_HID, "ACPI0013")
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				Interrupt (ResourceConsumer, Edge, ActiveHigh,
					Exclusive) {9}
			})
			Method (_EVT, 1, Serialized)
			{
				Notify (\_SB, 0x81)
			}
		}
	}
}
