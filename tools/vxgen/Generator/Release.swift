/// The version of this source tree, as `vxgen --version` tells it.
public enum Release {
    public static let version = "0.1.0"
}
