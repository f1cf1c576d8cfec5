namespace Shop.KafkaBroker;

/// <summary>What a request answers when the disk is full or fails.</summary>
internal static class StorageErrors
{
    public static ErrorCode Try(Func<ErrorCode> change)
    {
        try
        {
            return change();
        }
        catch (IOException)
        {
            return ErrorCode.KafkaStorageError;
        }
    }
}
