/** Why a file of the trail could not be had: whoever downloads it asks again, or gives up. */

/** It could not be had or written. `message` is one sentence. */
export class DownloadFailure extends Error {
  override name = 'DownloadFailure'
}

/** Asking again brings nothing else: the server says no, or what has come is of no use. */
export class FinalFailure extends DownloadFailure {
  override name = 'FinalFailure'
}

/** The server says no: to whoever asks now, of what is asked now. */
export class RefusedFailure extends FinalFailure {
  override name = 'RefusedFailure'
}
