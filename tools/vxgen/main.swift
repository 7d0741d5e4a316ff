print("vxgen")
