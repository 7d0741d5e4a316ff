import Glibc
import Testing
import Uring

@testable import Gateway

@Suite struct PatienceTests {
    private func attempt(failing times: Int, code: Int32) -> (calls: Int, isDone: Bool) {
        var calls = 0
        do throws(UringError) {
            try Patience.whileTaken { () throws(UringError) in
                calls += 1
                if calls <= times { throw UringError("taken", remedy: "wait", code: code) }
            }
            return (calls, true)
        } catch {
            return (calls, false)
        }
    }

    @Test func waitsForWhatIsTaken() {
        #expect(attempt(failing: 0, code: EADDRINUSE) == (1, true))
        #expect(attempt(failing: 5, code: EADDRINUSE) == (6, true))
        #expect(attempt(failing: 5, code: EBUSY) == (6, true))
    }

    @Test func waitsForNothingElse() {
        #expect(attempt(failing: 5, code: EPERM) == (1, false))
        #expect(attempt(failing: 5, code: EADDRNOTAVAIL) == (1, false))
    }

    @Test func waitsAboutASecond() {
        let start = ContinuousClock.now
        #expect(attempt(failing: .max, code: EADDRINUSE) == (101, false))
        #expect(ContinuousClock.now - start >= .milliseconds(900))
    }
}
