import Model

/// A document of the archive that carries a checksum of itself: one flipped digit in it would
/// otherwise be a wrong number that nobody doubts.
protocol ChecksummedDocument {}

extension SourceDescriptor: ChecksummedDocument {}
extension BaseBackupDescriptor: ChecksummedDocument {}
extension Watermark: ChecksummedDocument {}
extension RestorePoint: ChecksummedDocument {}
extension Gap: ChecksummedDocument {}
extension PushedMark: ChecksummedDocument {}
extension RestoreMeasurement: ChecksummedDocument {}
extension EventRecord: ChecksummedDocument {}
extension AlertRecord: ChecksummedDocument {}
