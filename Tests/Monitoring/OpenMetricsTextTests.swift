import Testing

@testable import Monitoring

struct OpenMetricsTextTests {
    private func page(_ dialect: OpenMetricsText.Dialect) -> String {
        var out = OpenMetricsText(dialect)
        out.family("a_bytes", .counter, unit: "bytes", "Bytes \"so\" far\nand on.")
        out.sample(
            "a_bytes", suffix: "_total", .init(["source": "x\"y\\z\n"]), UInt64.max)
        out.family("b_seconds", .histogram, unit: "seconds", "Times.")
        out.histogram(
            "b_seconds", .init(["source": "x"]), bounds: [0.5, 1], counts: [1, 2, 3], sum: 9)
        out.family("c", .info, "Facts.")
        out.sample("c", suffix: "_info", .init(["version": "1"]), 1.0)
        out.family("d", .gauge, "State.")
        out.choice("d", .init(["source": "x"]), "state", of: ["up", "down"], is: "down")
        return String(decoding: out.document, as: UTF8.self)
    }

    @Test func `OpenMetrics names a counter without its suffix and tells units`() {
        #expect(
            page(.openMetrics) == """
                # HELP a_bytes Bytes \\"so\\" far\\nand on.
                # TYPE a_bytes counter
                # UNIT a_bytes bytes
                a_bytes_total{source="x\\"y\\\\z\\n"} 18446744073709551615
                # HELP b_seconds Times.
                # TYPE b_seconds histogram
                # UNIT b_seconds seconds
                b_seconds_bucket{source="x",le="0.5"} 1
                b_seconds_bucket{source="x",le="1.0"} 3
                b_seconds_bucket{source="x",le="+Inf"} 6
                b_seconds_sum{source="x"} 9.0
                b_seconds_count{source="x"} 6
                # HELP c Facts.
                # TYPE c info
                c_info{version="1"} 1.0
                # HELP d State.
                # TYPE d gauge
                d{source="x",state="up"} 0.0
                d{source="x",state="down"} 1.0
                # EOF

                """)
    }

    @Test func `the older format names a counter with its suffix, and info is a gauge`() {
        let text = page(.prometheus)
        #expect(text.contains("# TYPE a_bytes_total counter\n"))
        #expect(text.contains("# TYPE c_info gauge\n"))
        #expect(!text.contains("# UNIT"))
    }

    @Test func `an Accept header chooses the dialect`() {
        let asked = "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;q=0.5"
        #expect(OpenMetricsText.Dialect(accept: asked) == .openMetrics)
        #expect(OpenMetricsText.Dialect(accept: "*/*") == .prometheus)
        #expect(OpenMetricsText.Dialect(accept: nil) == .prometheus)
        #expect(OpenMetricsText.Dialect.prometheus.contentType.contains("version=0.0.4"))
    }

    @Test func `numbers that are none are written as such`() {
        var out = OpenMetricsText(.openMetrics)
        for value in [Double.nan, .infinity, -.infinity, 1e300, 0.1, -2] {
            out.sample("x", .none, value)
        }
        let text = String(decoding: out.document, as: UTF8.self)
        #expect(
            text == "x NaN\nx +Inf\nx -Inf\nx 1e+300\nx 0.1\nx -2.0\n# EOF\n", "\(text)")
    }
}
