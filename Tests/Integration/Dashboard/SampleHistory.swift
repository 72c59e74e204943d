/// Answers `/api/history` inside the browser, by the shape that is the contract: a day of minutes
/// with a calm sea, one wave, and half an hour of which nothing is known.
enum SampleHistory {
    static let script = """
        {
          const real = window.fetch.bind(window);
          const history = async () => {
            const { sources } = await (await real("/api/status")).json();
            const last = Math.floor(Date.now() / 60000) * 60000;
            const point = (index, back) => {
              const wave = back > 300 && back < 314 ? 30 + (314 - back) * 12 : 0;
              const isUnknown = index === 2 && back > 700 && back < 730;
              const ripple = Math.abs(Math.sin(back * 1.7 + index) * Math.sin(back / 11));
              return {
                time: new Date(last - back * 60000).toISOString(),
                exposure_seconds: isUnknown ? null
                  : 1.1 + Math.sin(back / 95 + index) * 0.5 + ripple + wave,
                archived_bytes: isUnknown || (index % 3 === 2 && back % 7) ? 0
                  : Math.round(4e6 * ripple * (1.2 + Math.sin(back / 230 + index))),
              };
            };
            return { step_seconds: 60, sources: sources.map(({ name }, index) => ({ name,
              points: Array.from({ length: 1440 }, (_, place) => point(index, 1439 - place)) })) };
          };
          window.fetch = async (path, options) => String(path).startsWith("/api/history")
            ? new Response(JSON.stringify(await history())) : real(path, options);
        }
        """
}
