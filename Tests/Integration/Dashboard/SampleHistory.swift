/// Answers `/api/history` inside the browser, by the shape that is the contract: a day of minutes
/// with a calm sea, one wave, and half an hour of which nothing is known.
enum SampleHistory {
    static let script = script(
        of: """
            (index, back) => {
              const wave = back > 300 && back < 314 ? 30 + (314 - back) * 12 : 0;
              const isUnknown = index === 2 && back > 700 && back < 730;
              const ripple = Math.abs(Math.sin(back * 1.7 + index) * Math.sin(back / 11));
              return {
                exposure_seconds: isUnknown ? null
                  : 1.1 + Math.sin(back / 95 + index) * 0.5 + ripple + wave,
                archived_bytes: isUnknown || (index % 3 === 2 && back % 7) ? 0
                  : Math.round(4e6 * ripple * (1.2 + Math.sin(back / 230 + index))),
              };
            }
            """)

    /// Nothing happens but ten minutes, five hours ago, of twice the objective of a quarter of an
    /// hour, a megabyte an hour ago, and four of them ten hours ago.
    static let simple = script(
        of: """
            (index, back) => ({
              exposure_seconds: back > 300 && back <= 310 ? 1800 : 1,
              archived_bytes: back === 60 ? 1e6 : back === 600 ? 4e6 : 0,
            })
            """)

    /// - Parameter point: JavaScript; takes the place of a source and how many minutes ago it was.
    private static func script(of point: String) -> String {
        """
        {
          const real = window.fetch.bind(window);
          const history = async () => {
            const { sources } = await (await real("/api/status")).json();
            const last = Math.floor(Date.now() / 60000) * 60000;
            const point = \(point);
            return { step_seconds: 60, sources: sources.map(({ name }, index) => ({ name,
              points: Array.from({ length: 1440 }, (_, place) => ({
                time: new Date(last - (1439 - place) * 60000).toISOString(),
                ...point(index, 1439 - place) })) })) };
          };
          window.fetch = async (path, options) => String(path).startsWith("/api/history")
            ? new Response(JSON.stringify(await history())) : real(path, options);
        }
        """
    }
}
