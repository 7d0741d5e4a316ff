print("vxgate")
