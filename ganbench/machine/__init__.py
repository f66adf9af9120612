"""The hardware and this process: devices, memory, random streams, versions, interrupts."""
