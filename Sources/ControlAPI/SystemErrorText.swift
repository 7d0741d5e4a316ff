import Glibc

/// The kernel's text for `number`, as in `Permission denied`.
func systemErrorText(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}
