// What programs wrote, where a test failed.

/** `run`, and when it fails what `processes` (with `name` and `output`) wrote last. A failed subtest throws nowhere else. */
export function telling (processes, run, most = 4000) {
  return async (...args) => {
    try {
      return await run(...args)
    } catch (error) {
      for (const { name, output } of processes) console.error(`--- ${name}\n${output.slice(-most)}`)
      throw error
    }
  }
}
