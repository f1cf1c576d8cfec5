namespace Shop.Activity.Warehouse;

/// <summary>
/// An S3-compatible storage; configured by the section <c>Warehouse:S3</c>. Who may write there comes the way that AWS's SDK looks for it:
/// <c>AWS_ACCESS_KEY_ID</c> and <c>AWS_SECRET_ACCESS_KEY</c>, a profile, or the machine's role.
/// </summary>
public sealed class S3Options
{
    /// <summary>The bucket, which exists; where none is named, the folder counts.</summary>
    public string? Bucket { get; set; }

    /// <summary>What all names begin with, as <c>shop/</c>.</summary>
    public string Prefix { get; set; } = "";

    /// <summary>The address of a storage that is not AWS's, whose buckets are then named by paths.</summary>
    public Uri? Endpoint { get; set; }

    /// <summary>AWS's region; for others whatever they are told to be in.</summary>
    public string Region { get; set; } = "us-east-1";
}
