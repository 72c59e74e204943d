import FoundationEssentials
import Glibc
import Model
import Platform

/// A headless Chromium with one tab, driven by its DevTools protocol; it dies with the test.
///
/// Blocking, for one thread at a time.
package final class Browser {
    /// Seconds that any command may take.
    private static let patience = 60.0
    private static let arguments = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--remote-debugging-pipe", "--hide-scrollbars", "--no-first-run", "--disable-extensions",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ]

    private let scratch: ScratchDirectory
    private let pipe: BrowserPipe
    private let process: Subprocess
    private var commands = 0
    private var session: String?
    /// What went wrong on the pages: exceptions, refused loads, errors of the console.
    package private(set) var problems: [String] = []

    /// Throws `failed` when Chromium is not there or does not answer.
    package init() throws {
        scratch = try ScratchDirectory()
        pipe = try BrowserPipe(scratch.path)
        process = try Subprocess(
            "sh",
            [
                "-c", "exec chromium \"$@\" 3<\"$COMMANDS\" 4>\"$ANSWERS\"", "chromium",
                "--user-data-dir=\(scratch.path)/profile",
            ] + Self.arguments + ["about:blank"],
            SubprocessOptions(
                environment: [
                    "COMMANDS": BrowserPipe.inputPath(scratch.path),
                    "ANSWERS": BrowserPipe.outputPath(scratch.path), "HOME": scratch.path,
                    "XDG_CONFIG_HOME": scratch.path, "XDG_CACHE_HOME": scratch.path,
                ], signalOnParentDeath: .kill))
        let tab = try call("Target.createTarget", ["url": "about:blank"]).targetId ?? ""
        session = try call(
            "Target.attachToTarget", ["targetId": .text(tab), "flatten": true]
        ).sessionId
        for domain in ["Page", "Runtime", "Log"] { try call("\(domain).enable") }
    }

    deinit {
        process.signal(SIGTERM)
        if process.wait(seconds: 5) == nil {
            process.signal(SIGKILL)
            process.wait()
        }
    }

    /// Sends a command and waits for its answer.
    @discardableResult
    private func call(
        _ method: String, _ parameters: BrowserValue = [:]
    ) throws -> BrowserMessage.Answer {
        commands += 1
        let number = commands
        try pipe.send(
            BrowserCommand(id: number, method: method, params: parameters, sessionId: session))
        return try eventually("an answer to \(method)", seconds: Self.patience) {
            if process.status != nil {
                throw TidemarkError(.failed, "the browser ended: \(process.errors.suffix(500))")
            }
            guard let message = try pipe.receive(milliseconds: 200) else { return nil }
            note(message)
            guard message.id == number else { return nil }
            if let error = message.error {
                throw TidemarkError(.failed, "\(method): \(error.message)")
            }
            return message.result
        }
    }

    private func note(_ message: BrowserMessage) {
        if let thrown = message.params?.exceptionDetails { problems.append(thrown.words) }
        guard let entry = message.params?.entry, entry.level == "error" else { return }
        problems.append("\(entry.text) \(entry.url ?? "")")
    }
}

extension Browser {
    /// The size of the window and the colours that its user prefers.
    package func setScreen(width: Int, height: Int, isDark: Bool) throws {
        try call(
            "Emulation.setDeviceMetricsOverride",
            [
                "width": .number(Double(width)), "height": .number(Double(height)),
                "deviceScaleFactor": 1, "mobile": .truth(width < 500),
            ])
        try call(
            "Emulation.setEmulatedMedia",
            [
                "features": [
                    ["name": "prefers-color-scheme", "value": .text(isDark ? "dark" : "light")]
                ]
            ])
    }

    /// Runs a script on every page before its own ones.
    package func prepare(_ script: String) throws {
        try call("Page.addScriptToEvaluateOnNewDocument", ["source": .text(script)])
    }

    /// Goes to a page; what was wrong on the one before is forgotten.
    package func open(_ url: String) throws {
        problems = []
        try call("Page.navigate", ["url": .text(url)])
    }

    /// The value of an expression, or of the promise it makes, as text.
    @discardableResult
    package func value(_ expression: String) throws -> String {
        let answer = try call(
            "Runtime.evaluate",
            [
                "expression": .text("Promise.resolve((\(expression))).then(String)"),
                "awaitPromise": true, "returnByValue": true,
            ])
        if let thrown = answer.exceptionDetails {
            throw TidemarkError(.failed, "\(expression): \(thrown.words)")
        }
        return answer.result?.value ?? ""
    }

    /// Waits until an expression is true.
    package func wait(_ condition: String, seconds: Double = 20) throws {
        do {
            // What a page that is still loading has not got yet is not there yet.
            let safe = "(() => { try { return !!(\(condition)) } catch { return false } })()"
            try eventually(condition, seconds: seconds) { try value(safe) == "true" }
        } catch {
            throw TidemarkError(
                .failed,
                "\(error); problems of the page: \(problems); it reads: "
                    + (try value("document.body.innerText.slice(0, 1500)")))
        }
    }

    /// The whole page, as PNG.
    package func screenshot() throws -> [UInt8] {
        let answer = try call(
            "Page.captureScreenshot", ["format": "png", "captureBeyondViewport": true])
        return Data(base64Encoded: answer.data ?? "").map { Array($0) } ?? []
    }

    /// Moves the pointer to a place of the window, and clicks there if wanted.
    ///
    /// - Parameter between: JavaScript that runs while the button is down.
    package func point(
        x: Double, y: Double, clicks: Bool = false, between: String? = nil
    ) throws {
        let kinds = clicks ? ["mouseMoved", "mousePressed", "mouseReleased"] : ["mouseMoved"]
        for kind in kinds {
            if kind == "mouseReleased", let between { try value(between) }
            try call(
                "Input.dispatchMouseEvent",
                [
                    "type": .text(kind), "x": .number(x), "y": .number(y),
                    "button": .text(kind == "mouseMoved" ? "none" : "left"), "clickCount": 1,
                ])
        }
    }

    /// Presses a key by its DOM name, `ArrowLeft`.
    ///
    /// - Parameter code: its Windows key code, without which the page's own actions do not follow.
    package func press(_ key: String, code: Int, shift: Bool = false) throws {
        for kind in ["keyDown", "keyUp"] {
            try call(
                "Input.dispatchKeyEvent",
                [
                    "type": .text(kind), "key": .text(key), "code": .text(key),
                    "windowsVirtualKeyCode": .number(Double(code)),
                    "modifiers": .number(shift ? 8 : 0),
                    "text": .text(kind == "keyDown" && key == "Enter" ? "\r" : ""),
                ])
        }
    }
}
