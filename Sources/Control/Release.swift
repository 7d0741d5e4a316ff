/// The version of this source tree, as `--version`, `show version` and the metrics tell it.
public enum Release {
    public static let version = "0.1.0"
}
