namespace Shop.Activity.Warehouse;

/// <summary>A file that somebody has begun to send to an object storage: nobody begins another there.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="BeginOffset">Where the file before it ended.</param>
/// <param name="Path">The file.</param>
internal sealed record BegunFile(string Topic, int Partition, long BeginOffset, string Path);
